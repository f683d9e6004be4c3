export { accuracy } from './accuracy.ts';
export { type ClassCounts, classCounts } from './class-counts.ts';
export { binaryF1, macroF1, microF1 } from './f1.ts';
export { matthewsCorrelation } from './matthews-correlation.ts';
export { meanSquaredError } from './mean-squared-error.ts';
export { pearson } from './pearson.ts';
export { argmaxRows, positiveLogits } from './predicted-labels.ts';
export { SCORES, type ScoreFacts, type ScoreName, scoreFacts } from './scores.ts';
export { spearmanr } from './spearmanr.ts';
