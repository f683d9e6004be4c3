import { heatMap } from './chart/heat-map.ts';
import { CHART_STYLE } from './chart/style.ts';
import type { RankTable } from './rank-table.ts';

/**
 * Ranks by layer and matrix, as the paper's figure 3 shows them, as an SVG file that needs nothing else. Its colours
 * follow the colour scheme of who looks at it.
 */
export function rankHeatMap(table: RankTable, title: string): string {
  const { total, modules, average, largest } = table;
  const description = `${total} triplets in ${modules} matrices, ${average.toFixed(1)} on average`;
  const { text } = heatMap({ id: 'ranks', title, description, table, largest });
  return `${text.replace(/^<svg[^>]*>/, (tag) => `${tag}<style>${CHART_STYLE}</style>`)}\n`;
}
