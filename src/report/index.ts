export { adapterRanks } from './adapter-ranks.ts';
export { type ModelCardFacts, modelCard } from './model-card.ts';
export { type RankRow, type RankTable, rankTable } from './rank-table.ts';
