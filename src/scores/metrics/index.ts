export { bleu } from './bleu.ts';
export {
  accuracy,
  argmaxRows,
  binaryF1,
  type ClassCounts,
  classCounts,
  macroF1,
  matthewsCorrelation,
  microF1,
  positiveLogits,
} from './classes.ts';
export type { OwnMetric, OwnMetrics } from './own-metrics.ts';
export { meanAbsoluteError, meanSquaredError, pearson, r2Score, spearmanr } from './regression-scores.ts';
export { type RougeScore, type RougeType, rouge, rougeOfText } from './rouge.ts';
export { SCORES, type ScoreDefinition, type ScoreName, scoreDefinition } from './scores.ts';
export { type AnsweredQuestion, type SquadScores, squadScores } from './squad/squad-scores.ts';
export { type NullOdds, type SquadV2Scores, squadV2Scores } from './squad/squad-v2-scores.ts';
