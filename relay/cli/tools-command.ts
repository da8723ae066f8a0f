import { TabmeshError } from '../../src/lib/errors.ts';
import type { RunCommand } from './command.ts';
import { createRestClient, type ListedTool } from './rest-client.ts';

/** `tabmesh tools [NAME]`: what can be called here, or the schema of one. */
export const runTools: RunCommand = async ({ flags, room, stdout, stop }) => {
  const tools = await createRestClient(room).tools(stop);
  const [name] = flags.words;
  if (name === undefined) {
    const width = Math.max(0, ...tools.map((tool) => tool.name.length));
    for (const tool of tools) stdout(`${tool.name.padEnd(width)}  ${summary(tool)}\n`);
    return 0;
  }
  const found = tools.find((tool) => tool.name === name);
  if (found === undefined) {
    throw new TabmeshError('unknown_tool', `there is no tool ${name} here`, { hint: '"tabmesh tools" lists all.' });
  }
  stdout(`${JSON.stringify(found, null, 2)}\n`);
  return 0;
};

function summary({ access, places, description }: ListedTool): string {
  const where = places.length === 1 ? '1 place ' : `${String(places.length)} places`;
  return `${access.padEnd(7)}  ${where}  ${firstSentence(description)}`;
}

function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
}
