// `npm run licenses` writes THIRD_PARTY_LICENSES; with --check nothing is written, and a stale file or a licence that
// is not allowed fails.
import { readFile, writeFile } from 'node:fs/promises';
import { noticesOf } from './licenses/notices.ts';
import { shippedPackages } from './licenses/packages.ts';
import { licenceProblem } from './licenses/policy.ts';

const FILE = 'THIRD_PARTY_LICENSES';

const packages = await shippedPackages();
const problems = packages.map(licenceProblem).filter((problem) => problem !== undefined);
const notices = noticesOf(packages);
if (!process.argv.includes('--check')) await writeFile(FILE, notices);
else if ((await readFile(FILE, 'utf8')) !== notices) problems.push(`${FILE} is stale: run "npm run licenses"`);

for (const problem of problems) console.error(problem);
console.log(`${packages.length} packages ship, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;
