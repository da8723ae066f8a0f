/**
 * English function words: they occur in nearly every record and so tell none apart. Words that records also use as
 * names ("us", "may", "second") are left out on purpose.
 */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a about above after again all also although am among an and any are as at be because been before being below ' +
    'between both but by can cannot could did do does doing done during each either else ever for from further had ' +
    'has have having he hence her here hers him his how however i if in into is it its itself just me might more most ' +
    'much must my neither no nor not of off on once only or other our out over own per quite rather s same shall she ' +
    'should since so some such t than that the their them then there these they this those though through thus to too ' +
    'under until up upon very via was we were what when where whether which while who whom whose why will with within ' +
    'without would yet you your'
  ).split(' '),
);
