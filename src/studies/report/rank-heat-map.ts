import { heatMapChart } from './chart/heat-map.ts';
import { standalone } from './chart/style.ts';
import type { RankTable } from './rank-table.ts';

/** Ranks by layer and matrix, as in the paper's figure 3, as an SVG file. */
export function rankHeatMap(table: RankTable, title: string): string {
  const { total, modules, average, largest } = table;
  const description = `${total} triplets in ${modules} matrices, ${average.toFixed(1)} on average`;
  return standalone(heatMapChart({ id: 'ranks', title, description, table, largest }));
}
