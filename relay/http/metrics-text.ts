/** A number that somebody keeps, as a monitoring system is to see it. */
export interface Sample {
  /** of letters, digits and `_`; a counter's ends in `_total` */
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Somebody who keeps numbers; asked whenever they are read. */
export type SampleSource = () => readonly Sample[] | Promise<readonly Sample[]>;

/**
 * Samples in the text format of Prometheus (version 0.0.4), those of one name together.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function samplesText(samples: readonly Sample[]): string {
  const families = Map.groupBy(samples, ({ name }) => name);
  return [...families.values()].map(familyText).join('');
}

function familyText(samples: readonly Sample[]): string {
  const [first] = samples;
  if (first === undefined) return '';
  const { name, help, type } = first;
  const lines = samples.map(({ labels = {}, value }) => `${name}${labelText(labels)} ${numberText(value)}\n`);
  return `# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value.replace(/[\\\n"]/g, escaped)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (character: string) => (character === '\n' ? '\\n' : `\\${character}`);

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
