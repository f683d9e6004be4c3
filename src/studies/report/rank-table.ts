import { addUp, largest } from '../../support/numbers.ts';

/** Ranks by layer and matrix, as in the paper's figure 3. */
export interface RankTable {
  /** Names of the matrices, as in `target_modules` (`query`, `attention.output.dense`). */
  columns: string[];
  rows: RankRow[];
  /** Sum of all ranks. */
  total: number;
  modules: number;
  /** Mean rank of a module. */
  average: number;
  largest: number;
}

interface RankRow {
  /** Such as `0`, or with the stack's name if there are several: `encoder 0`. Empty for modules outside any layer. */
  layer: string;
  /** One rank per column. Undefined if the layer has no such adapted matrix. */
  ranks: (number | undefined)[];
}

/**
 * Endings of module paths in the order of computation: query, key, value, attention output, then the first and second
 * linear layer of the feed-forward network.
 */
const ROLES = [
  /\b(q|query|q_proj|query_proj)$/,
  /\b(k|key|k_proj|key_proj)$/,
  /\b(v|value|v_proj|value_proj)$/,
  /\b(o|o_proj|out_proj|attention\.output\.dense)$/,
  /\b(intermediate\.dense|fc1|gate_proj|wi|wi_\d)$/,
  /\bup_proj$/,
  /\b(output\.dense|fc2|down_proj|wo)$/,
];

/**
 * Arranges ranks, given by module path, in a table. Layers are in numerical order, matrices in the order of
 * computation.
 */
export function rankTable(ranks: Readonly<Record<string, number>>): RankTable {
  const cells = Object.entries(ranks).map(([path, rank]) => ({ ...parsePlace(path), rank }));
  const matrices = [...new Set(cells.map(({ matrix }) => matrix))].sort(
    (a, b) => rankRole(a) - rankRole(b) || (a < b ? -1 : 1),
  );
  const total = addUp(cells, ({ rank }) => rank);
  return {
    columns: matrices.map((matrix) => shortName(matrix, matrices)),
    rows: listRows(cells, matrices),
    total,
    modules: cells.length,
    average: cells.length === 0 ? 0 : total / cells.length,
    largest: Math.max(0, largest(cells.map(({ rank }) => rank))),
  };
}

interface Place {
  /** The path before the layer number. */
  stack: string;
  /** -1 for a module outside any layer. */
  layer: number;
  matrix: string;
}

function listRows(cells: readonly (Place & { rank: number })[], matrices: readonly string[]): RankRow[] {
  const stacks = [...new Set(cells.filter(({ layer }) => layer >= 0).map(({ stack }) => stack))];
  const rows = new Map<string, Place & { ranks: (number | undefined)[] }>();
  for (const { rank, ...place } of cells) {
    const key = `${place.stack} ${place.layer}`;
    const row = rows.get(key) ?? { ...place, ranks: matrices.map(() => undefined) };
    row.ranks[matrices.indexOf(place.matrix)] = rank;
    rows.set(key, row);
  }
  return [...rows.values()]
    .sort((a, b) => stacks.indexOf(a.stack) - stacks.indexOf(b.stack) || a.layer - b.layer)
    .map(({ stack, layer, ranks }) => {
      const number = layer < 0 ? '' : `${layer}`;
      return { layer: stacks.length > 1 && layer >= 0 ? `${stackName(stack)} ${number}` : number, ranks };
    });
}

/**
 * Splits `bert.encoder.layer.0.attention.self.query` into stack `bert.encoder.layer`, layer 0 and matrix
 * `attention.self.query`.
 */
function parsePlace(path: string): Place {
  const [, stack, layer, matrix] = /^(.*?)\.(\d+)\.(.+)$/.exec(path) ?? [];
  return matrix === undefined
    ? { stack: '', layer: -1, matrix: path }
    : { stack: stack!, layer: Number(layer), matrix };
}

/** The short name of a stack: "encoder" for `model.encoder.layers`. */
function stackName(stack: string): string {
  return stack.split('.').at(-2) ?? stack;
}

/** The shortest suffix of a matrix's path that is unique and not just `dense`. */
function shortName(matrix: string, matrices: readonly string[]): string {
  const parts = matrix.split('.');
  const ends = parts.map((_, i) => parts.slice(parts.length - 1 - i).join('.'));
  const isShared = (end: string) =>
    matrices.some((other) => other !== matrix && `.${other}`.endsWith(`.${end}`));
  return ends.find((end) => end !== 'dense' && !isShared(end)) ?? matrix;
}

function rankRole(matrix: string): number {
  const role = ROLES.findIndex((pattern) => pattern.test(matrix));
  return role < 0 ? ROLES.length : role;
}
