import type { BestSpans } from './best-spans.ts';

/** The contents of files by name, as run_qa.py writes them and the official script of SQuAD v2.0 reads them. */
export function squadFiles(ids: readonly string[], best: readonly BestSpans[]): Record<string, string> {
  const hasOdds = best.some(({ nullOdds }) => nullOdds !== undefined);
  return {
    'predictions.json': object(
      ids,
      best.map(({ answer }) => answer.text),
    ),
    'nbest_predictions.json': object(ids, best.map(nbestRows)),
    ...(hasOdds && {
      'null_odds.json': object(
        ids,
        best.map(({ nullOdds }) => nullOdds),
      ),
    }),
  };
}

/** The best spans of a question, with the key names of run_qa.py. */
export function nbestRows({ nbest }: BestSpans): object[] {
  return nbest.map(({ text, probability, startLogit, endLogit }) => ({
    start_logit: startLogit,
    end_logit: endLogit,
    text,
    probability,
  }));
}

/** Writes a JSON object with its keys in order, even numeric keys. */
function object(keys: readonly string[], values: readonly unknown[]): string {
  const lines = keys.map((key, i) => {
    const value = JSON.stringify(values[i], null, 4).replaceAll('\n', '\n    ');
    return `    ${JSON.stringify(key)}: ${value}`;
  });
  return `{\n${lines.join(',\n')}\n}\n`;
}
