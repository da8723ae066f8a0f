import type { PartialDate } from '../../contracts/records.ts';
import { childAt, textOf } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** A year within free text: PubMed goes back to 1781. */
const YEAR_IN_TEXT = /(?<!\d)(1[6-9]\d\d|2[01]\d\d)(?!\d)/;

/**
 * Reads a `PubDate`, `ArticleDate` or `ContributionDate` as precisely as it is given: `Year[/Month[/Day]]`,
 * `Year/Season`, or a free text `MedlineDate`. Nothing is invented; what is not a plain date stays in `text`.
 */
export function readDate(element: XmlElement | undefined): PartialDate {
  const part = (name: string) => textOf(childAt(element, name));
  const free = part('MedlineDate');
  if (free !== '') return inWords(free);
  const [year, month, day] = [part('Year'), part('Month'), part('Day')];
  const season = part('Season');
  const asWritten = [year, season, month, day].filter((text) => text !== '').join(' ');
  if (!/^\d{4}$/.test(year) || season !== '') return inWords(asWritten);
  if (month === '') return { year: Number(year), month: null, day: null, text: day === '' ? null : asWritten };
  const monthNumber = readMonth(month);
  if (monthNumber === null) return inWords(asWritten);
  const dayNumber = readDay(day);
  return {
    year: Number(year),
    month: monthNumber,
    day: dayNumber,
    text: day !== '' && dayNumber === null ? asWritten : null,
  };
}

function inWords(text: string): PartialDate {
  const year = YEAR_IN_TEXT.exec(text)?.[1];
  return { year: year === undefined ? null : Number(year), month: null, day: null, text: text || null };
}

/** `Jun`, `June`, `6` or `06`. */
function readMonth(text: string): number | null {
  if (/^\d{1,2}$/.test(text)) {
    const month = Number(text);
    return month >= 1 && month <= 12 ? month : null;
  }
  if (!/^[A-Za-z]{3,9}\.?$/.test(text)) return null;
  const index = MONTHS.indexOf(text.slice(0, 3).toLowerCase());
  return index < 0 ? null : index + 1;
}

function readDay(text: string): number | null {
  const day = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return day >= 1 && day <= 31 ? day : null;
}
