import type { McpObject } from '../../contracts/mcp.ts';
import type { MeshPeer } from '../../contracts/mesh.ts';
import type { RoomDataset } from '../../contracts/ports.ts';
import type { RunState } from '../../contracts/workflow.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString, RunId } from '../../lib/ids.ts';
import { resourceNotFound } from '../../mesh/rpc/mcp-error.ts';
import { readPage } from '../../mesh/rpc/mcp-pages.ts';
import type { McpSources } from './mcp-sources.ts';

/** Resources in one page of the list. */
const PAGE = 100;
/** Records in one read: the text of a few dozen abstracts, not of thousands. */
export const RECORDS_A_READ = 25;
const JSON_TYPE = 'application/json';

interface Resource extends Record<string, unknown> {
  readonly uri: string;
  readonly name: string;
}

/** All that can be listed, by URI. */
export function allResources(sources: McpSources): readonly Resource[] {
  const datasets = sources.datasets.list();
  const resources = [
    ...datasets.map(datasetResource),
    ...indexed(sources).map((dataset) => indexResource(dataset)),
    { uri: 'index://room', name: 'index', title: 'The index of the room', mimeType: JSON_TYPE, description: INDEX },
    ...sources.peers().map(peerResource),
    ...sources.runs.list().map((run) => runResource(sources, run)),
  ];
  return resources.sort((a, b) => (a.uri < b.uri ? -1 : 1));
}

const INDEX = 'Which datasets can be searched, and on which devices their parts are.';

/** `resources/list`. */
export function listResources(sources: McpSources, { cursor }: McpObject): McpObject {
  const { items, next } = readPage(allResources(sources), ({ uri }) => uri, cursor, PAGE);
  return { resources: items, ...next };
}

/** `resources/templates/list`. */
export function listTemplates(): McpObject {
  const template = (uriTemplate: string, name: string, title: string, description: string) => ({
    uriTemplate,
    name,
    title,
    description,
    mimeType: JSON_TYPE,
  });
  return {
    resourceTemplates: [
      template('dataset://{dataset}', 'dataset', 'A dataset', 'What a dataset is, where it comes from, who holds it.'),
      template(
        'dataset://{dataset}/records/{offset}',
        'records',
        'Records of a dataset',
        `${String(RECORDS_A_READ)} records in order of their ids, from an offset.`,
      ),
      template('index://{dataset}', 'index', 'The index of a dataset', 'The devices that can search it.'),
      template('peer://{peer}', 'peer', 'A peer', 'A browser tab or a relay: how it is linked, and what it offers.'),
      template('run://{peer}/{run}', 'run', 'A run of a workflow', 'How it stands, step by step, and what it came to.'),
    ],
  };
}

/** `resources/read`. @throws `not_found`, with the URI as data */
export async function readResource(sources: McpSources, { uri }: McpObject, signal: AbortSignal): Promise<McpObject> {
  if (typeof uri !== 'string') throw resourceNotFound(String(uri));
  const content = await read(sources, uri, signal);
  if (content === null) throw resourceNotFound(uri);
  return { contents: [{ uri, mimeType: JSON_TYPE, text: JSON.stringify(content, null, 2) }] };
}

async function read(sources: McpSources, uri: string, signal: AbortSignal): Promise<unknown> {
  const here = state(sources, uri);
  if (here !== undefined) return here;
  const [, cid, offset] = /^dataset:\/\/([a-z0-9]+)(?:\/records\/(\d{1,9}))?$/.exec(uri) ?? [];
  const dataset = sources.datasets.list().find(({ data }) => data === cid);
  if (dataset === undefined) return null;
  try {
    if (offset === undefined) {
      return { ...datasetState(dataset), manifest: await sources.datasets.manifest(dataset.data, signal) };
    }
    const from = Number(offset);
    const records = await sources.datasets.records(dataset.data, from, RECORDS_A_READ, signal);
    const next = from + records.length < dataset.count ? from + records.length : null;
    return { dataset: dataset.data, count: dataset.count, offset: from, next, records };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TabmeshError && error.code === 'not_found') return null;
    throw error;
  }
}

/**
 * What a resource says that can change: nothing is fetched for it. For most it is all there is to read.
 * @returns null when it does not exist; undefined when reading it is more than this
 */
function state(sources: McpSources, uri: string): unknown {
  if (uri === 'index://room') return { datasets: indexed(sources).map((dataset) => indexState(sources, dataset)) };
  const [, scheme, rest = ''] = /^(index|peer|run):\/\/(.+)$/.exec(uri) ?? [];
  if (scheme === 'index') {
    const known = indexed(sources).includes(rest as CidString);
    return known ? indexState(sources, rest as CidString) : null;
  }
  if (scheme === 'peer') return sources.peers().find(({ peer }) => peer === rest) ?? null;
  if (scheme === 'run') {
    const [peer, run] = rest.split('/');
    const found = peer === sources.self && run !== undefined ? sources.runs.get(run as RunId) : undefined;
    return found === undefined ? null : runState(found);
  }
  return undefined;
}

/** As {@link state}, without what changes by the second and means nothing to a reader. */
export function watchedState(sources: McpSources, uri: string): unknown {
  const [, cid] = /^dataset:\/\/([a-z0-9]+)/.exec(uri) ?? [];
  if (cid !== undefined) {
    const dataset = sources.datasets.list().find(({ data }) => data === cid);
    return dataset === undefined ? null : datasetState(dataset);
  }
  const now = state(sources, uri);
  if (!uri.startsWith('peer://') || now === null) return now;
  const { latencyMs: _, links: __, load: ___, battery: ____, served: _____, ...steady } = now as MeshPeer;
  return steady;
}

function datasetResource(dataset: RoomDataset): Resource {
  return {
    uri: `dataset://${dataset.data}`,
    name: dataset.name,
    title: dataset.name,
    description: `${String(dataset.count)} records collected for “${dataset.query}” from ${dataset.source}`,
    mimeType: JSON_TYPE,
  };
}

function datasetState({ holders, ...summary }: RoomDataset): Record<string, unknown> {
  return { ...summary, holders: holders.map(({ device, name, online }) => ({ device, name, online })) };
}

function indexResource(dataset: CidString): Resource {
  const uri = `index://${dataset}`;
  return {
    uri,
    name: `index of ${dataset}`,
    mimeType: JSON_TYPE,
    description: 'The devices that can search this dataset.',
  };
}

function indexState(sources: McpSources, dataset: CidString): Record<string, unknown> {
  const online = new Set(sources.peers().map(({ device }) => device));
  const devices = Object.values(sources.room().devices).flatMap(({ device, name, segments }) => {
    const segment = segments[dataset];
    if (segment === undefined) return [];
    const { count, engine, builtAt } = segment;
    return [{ device, name, online: online.has(device), records: count, engine, builtAt }];
  });
  const name = sources.datasets.list().find(({ data }) => data === dataset)?.name ?? null;
  return { dataset, name, devices };
}

/** The datasets that some device can search. */
function indexed(sources: McpSources): readonly CidString[] {
  const devices = Object.values(sources.room().devices);
  return [...new Set(devices.flatMap(({ segments }) => Object.keys(segments) as CidString[]))].sort();
}

function peerResource({ peer, name, kind, link }: MeshPeer): Resource {
  const uri = `peer://${peer}`;
  return { uri, name: name === '' ? peer : name, description: `a ${kind}, ${link}`, mimeType: JSON_TYPE };
}

function runResource({ self }: McpSources, run: RunState): Resource {
  return {
    uri: `run://${self}/${run.runId}`,
    name: run.definition.name,
    description: `${run.status}, begun ${new Date(run.createdAt).toISOString()}`,
    mimeType: JSON_TYPE,
  };
}

function runState({ runId, definition, inputs, createdAt, steps, ...status }: RunState): Record<string, unknown> {
  return {
    run: runId,
    workflow: definition.id,
    name: definition.name,
    inputs,
    created_at: new Date(createdAt).toISOString(),
    ...status,
    steps: definition.steps.map(({ id, name }) => ({ step: id, name, ...steps[id] })),
  };
}
