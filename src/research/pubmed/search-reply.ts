import { malformed, serviceError } from './service-error.ts';
import { parsePubmedXml } from './parse.ts';

/** One page of an esearch reply. */
export interface SearchReply {
  readonly ids: readonly string[];
  readonly count: number;
  readonly queryTranslation: string | null;
  readonly warnings: readonly string[];
}

/** Lists in `errorlist` and `warninglist`, and how a person reads an entry of them. */
const WARNINGS: readonly (readonly [key: string, words: (entry: string) => string])[] = [
  ['phrasesnotfound', (entry) => `Not found: ${entry}`],
  ['fieldsnotfound', (entry) => `Unknown search field: ${entry}`],
  ['phrasesignored', (entry) => `Ignored: ${entry}`],
  ['quotedphrasesnotfound', (entry) => `Quoted phrase not found: ${entry}`],
  ['outputmessages', (entry) => entry],
];

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads an esearch reply (`retmode=json`). Its numbers are strings.
 * @throws `upstream_error` for an error reply in JSON or XML, `upstream_throttled`, `upstream_malformed`
 */
export function readSearchReply(body: Uint8Array): SearchReply {
  const reply = readObject(body);
  if (typeof reply['error'] === 'string') throw serviceError(reply['error']);
  const result = reply['esearchresult'];
  if (!isObject(result)) throw malformed('no "esearchresult" in it');
  const failure = result['ERROR'];
  if (typeof failure === 'string' && failure.trim() !== '') throw serviceError(failure);
  const count = result['count'];
  if (typeof count !== 'string' || !/^\d{1,12}$/.test(count)) throw malformed('"count" is not a number');
  const translation = result['querytranslation'];
  return {
    ids: readIds(result['idlist']),
    count: Number(count),
    queryTranslation: typeof translation === 'string' && translation !== '' ? translation : null,
    warnings: [...readWarnings(result['errorlist']), ...readWarnings(result['warninglist'])],
  };
}

function readObject(body: Uint8Array): JsonObject {
  const text = new TextDecoder().decode(body);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    // some errors come as XML whatever was asked for; anything else that is XML or HTML is refused there
    if (text.trimStart().startsWith('<')) parsePubmedXml(body);
    throw malformed('it is not JSON', thrown);
  }
  if (!isObject(value)) throw malformed('it is not a JSON object');
  return value;
}

function readIds(value: unknown): string[] {
  if (!Array.isArray(value)) throw malformed('"idlist" is not a list');
  return value.map((id: unknown) => {
    if (typeof id !== 'string' || !/^\d{1,12}$/.test(id)) throw malformed('"idlist" holds something that is no id');
    return id;
  });
}

function readWarnings(lists: unknown): string[] {
  if (!isObject(lists)) return [];
  return WARNINGS.flatMap(([key, words]) => {
    const entries = lists[key];
    if (!Array.isArray(entries)) return [];
    return entries.filter((entry): entry is string => typeof entry === 'string' && entry !== '').map(words);
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
