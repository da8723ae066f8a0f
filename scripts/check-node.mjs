// Runs before `npm start`, `npm test` and the like. Plain JavaScript: an older Node cannot even parse the TypeScript.
const NEEDED = 24;
const major = Number(process.versions.node.split('.')[0]);
if (major < NEEDED) {
  console.error(
    `Tabmesh needs Node ${NEEDED}, and this is ${process.version}. Run "npm ci" here: it installs one for this folder alone.`,
  );
  process.exit(1);
}
