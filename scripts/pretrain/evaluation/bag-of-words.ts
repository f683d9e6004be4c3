import { logisticRegression, predictsOne, type Sparse } from './logistic-regression.ts';

/** Words and word pairs that occur in fewer training texts are left out. */
const MIN_TEXTS = 2;
/** Candidates for the inverse penalty (scikit-learn's C). The choice is made on a tenth of the training texts. */
const STRENGTHS = [0.3, 1, 3, 10, 30];

export interface LabeledText {
  text: string;
  /** 0 or 1 */
  label: number;
}

/**
 * Predicts labels by logistic regression on a bag of words and word pairs. Weights are tf-idf as in
 * scikit-learn's `TfidfVectorizer(sublinear_tf=True)`. The intercept is penalised too.
 */
export function bagOfWords(train: readonly LabeledText[], test: readonly string[]): number[] {
  const isKept = (at: number) => at % 10 === 0;
  const inner = train.filter((_, at) => !isKept(at));
  const outer = train.filter((_, at) => isKept(at));
  const accuracies = STRENGTHS.map((strength) => {
    const predict = fit(inner, strength);
    return outer.filter(({ text, label }) => predict(text) === label).length;
  });
  return test.map(fit(train, STRENGTHS[accuracies.indexOf(Math.max(...accuracies))]!));
}

function fit(train: readonly LabeledText[], strength: number): (text: string) => number {
  const vectorize = vectorizer(train.map(({ text }) => text));
  const rows = train.map(({ text }) => vectorize.row(text));
  const labels = train.map(({ label }) => label);
  const weights = logisticRegression(rows, labels, vectorize.size, strength);
  return (text) => Number(predictsOne(vectorize.row(text), weights));
}

function vectorizer(texts: readonly string[]): { size: number; row(text: string): Sparse } {
  const frequencies = new Map<string, number>();
  for (const text of texts)
    for (const gram of new Set(grams(text))) frequencies.set(gram, (frequencies.get(gram) ?? 0) + 1);
  const kept = [...frequencies].filter(([, count]) => count >= MIN_TEXTS);
  const index = new Map(kept.map(([gram], at) => [gram, at]));
  const idf = kept.map(([, count]) => Math.log((1 + texts.length) / (1 + count)) + 1);
  const row = (text: string): Sparse => {
    const counts = new Map<number, number>();
    for (const gram of grams(text)) {
      const at = index.get(gram);
      if (at !== undefined) counts.set(at, (counts.get(at) ?? 0) + 1);
    }
    const entries = [...counts].map(([at, count]) => [at, (1 + Math.log(count)) * idf[at]!]);
    const norm = Math.sqrt(entries.reduce((sum, [, value]) => sum + value! * value!, 0)) || 1;
    // The last feature is the intercept.
    return {
      at: Int32Array.from([...entries.map(([at]) => at), kept.length]),
      value: Float64Array.from([...entries.map(([, value]) => value! / norm), 1]),
    };
  };
  return { size: kept.length + 1, row };
}

function grams(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+|[!?$%]/gu) ?? [];
  return [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)];
}
