/** One line of the command palette. */
export interface Command {
  readonly id: string;
  readonly label: string;
  /** what kind of thing it is, shown at the right */
  readonly kind: string;
  /** further words by which it is found */
  readonly words?: string;
  readonly run: () => void;
}

/** Lines shown at once: more would have to be read, not seen. */
const MAX_SHOWN = 12;

/**
 * The commands that fit what was typed: every word must start a word of the command. Those whose label begins with the
 * text come first, else the given order stays.
 */
export function matchCommands(commands: readonly Command[], typed: string): readonly Command[] {
  const wanted = words(typed);
  const start = typed.trim().toLocaleLowerCase();
  const fitting = commands.filter((command) => {
    const offered = words(`${command.label} ${command.kind} ${command.words ?? ''}`);
    return wanted.every((word) => offered.some((other) => other.startsWith(word)));
  });
  const first = fitting.filter((command) => start !== '' && command.label.toLocaleLowerCase().startsWith(start));
  return [...first, ...fitting.filter((command) => !first.includes(command))].slice(0, MAX_SHOWN);
}

function words(text: string): readonly string[] {
  return text
    .toLocaleLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
