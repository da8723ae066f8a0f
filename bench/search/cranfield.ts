import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

/** One abstract of the collection. */
export interface CranfieldDoc {
  readonly id: string;
  readonly title: string;
  readonly authors: string;
  /** without the title, which the collection repeats as its first sentence */
  readonly text: string;
}

export interface CranfieldTopic {
  readonly query: string;
  /** ids of the relevant documents; the collection's grades are binary in all but name */
  readonly relevant: ReadonlySet<string>;
}

export interface Cranfield {
  readonly docs: readonly CranfieldDoc[];
  readonly topics: readonly CranfieldTopic[];
}

/**
 * Reads the Cranfield collection (1,400 abstracts, 225 topics) in its TREC form.
 * @param folder holds `cran.all.1400.xml`, `cran.qry.xml`, `cranqrel.trec.txt`
 * @returns undefined when the collection is not there
 */
export function readCranfield(folder: string): Cranfield | undefined {
  if (!existsSync(join(folder, 'cran.all.1400.xml'))) return undefined;
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const docs = elements(read('cran.all.1400.xml'), 'doc').map((doc) => {
    const title = field(doc, 'title');
    const text = field(doc, 'text');
    return {
      id: field(doc, 'docno'),
      title,
      authors: field(doc, 'author'),
      text: text.startsWith(title) ? text.slice(title.length).trim() : text,
    };
  });
  // the topics' own numbers skip; the judgements count 1 to 225 in the order of the file
  const relevant = judgements(read('cranqrel.trec.txt'));
  const topics = elements(read('cran.qry.xml'), 'top').map((topic, i) => ({
    query: field(topic, 'title'),
    relevant: relevant.get(String(i + 1)) ?? new Set<string>(),
  }));
  return { docs, topics: topics.filter((topic) => topic.relevant.size > 0) };
}

function judgements(text: string): Map<string, Set<string>> {
  const byTopic = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const [topic, , doc, grade] = line.trim().split(/\s+/);
    if (topic === undefined || doc === undefined || Number(grade) <= 0) continue;
    const docs = byTopic.get(topic) ?? new Set();
    byTopic.set(topic, docs.add(doc));
  }
  return byTopic;
}

function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map((match) => match[1] ?? '');
}

function field(xml: string, name: string): string {
  const text = elements(xml, name)[0] ?? '';
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').replace(/\s+/g, ' ').trim();
}
