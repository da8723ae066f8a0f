import { childrenOf } from '../xml/element.ts';
import type { XmlElement } from '../xml/element.ts';
import { textsOf } from './fields.ts';

/** Which data banks of NLM's list are trial registries; the others hold sequences, structures and data sets. */
const TRIAL_REGISTRIES: ReadonlySet<string> = new Set([
  'ANZCTR',
  'CRiS',
  'CTIS',
  'CTRI',
  'ChiCTR',
  'ClinicalTrials.gov',
  'DRKS',
  'EudraCT',
  'IRCT',
  'ISRCTN',
  'JMACCT',
  'JPRN',
  'JapicCTI',
  'LBCTR',
  'NTR',
  'PACTR',
  'REPEC',
  'RPCEC',
  'ReBec',
  'SLCTR',
  'TCTR',
  'UMIN CTR',
]);
const NCT_ID = /^NCT\d{8}$/;

/** Trial ids of a `DataBankList`, without duplicates. An NCT id counts whatever its bank is called. */
export function readTrials(list: XmlElement | undefined): string[] {
  const ids = childrenOf(list, 'DataBank').flatMap((bank) => {
    const isRegistry = textsOf(bank, 'DataBankName').some((name) => TRIAL_REGISTRIES.has(name));
    const accessions = childrenOf(bank, 'AccessionNumberList').flatMap((numbers) =>
      textsOf(numbers, 'AccessionNumber'),
    );
    return accessions.filter((id) => isRegistry || NCT_ID.test(id));
  });
  return [...new Set(ids)];
}
