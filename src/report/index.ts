export { type ModelCardFacts, modelCard } from './model-card.ts';
export { reportPage } from './page/report-page.ts';
export { rankHeatMap } from './rank-heat-map.ts';
export { type RankRow, type RankTable, rankTable } from './rank-table.ts';
export { groupRuns, type RunGroup } from './run/group-runs.ts';
export { type RunFacts, runFacts } from './run/run-facts.ts';
export { type RunRecord, runRecord } from './run/run-record.ts';
