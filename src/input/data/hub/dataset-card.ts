import { parse } from 'yaml';
import { checkYaml } from '../../formats/yaml-document.ts';
import { type ColumnClasses, namesIn } from '../parquet/class-names.ts';

/** Most cards have a few KB, but a card with hundreds of subsets has several hundred KB. */
const MAX_LENGTH = 2 ** 20;
const MAX_ENTRIES = 150_000;

/** The description of one subset in a dataset's card (README.md). */
export interface SubsetCard {
  name: string;
  /** File patterns of each split, by the split's name. */
  splits: ReadonlyMap<string, readonly string[]>;
  isDefault: boolean;
}

export interface DatasetCard {
  subsets: readonly SubsetCard[];
  /** Class names by column. `subset` may be undefined if the dataset has only one. */
  classes(subset: string | undefined): ColumnClasses;
}

/** Parses the YAML at the head of a card. A damaged card is treated as empty. */
export function datasetCard(text: string): DatasetCard {
  const [, head = ''] = /^\s*---\r?\n([\s\S]*?)\r?\n---/.exec(text.slice(0, MAX_LENGTH)) ?? [];
  const { configs, dataset_info } = Object(readYaml(head)) as Record<string, unknown>;
  const infos = readList(dataset_info);
  return {
    subsets: readList(configs).flatMap(subsetCard),
    classes(subset) {
      const named = infos.find(({ config_name }) => config_name === subset);
      const info = named ?? (infos.length === 1 ? infos[0] : undefined);
      return Object.fromEntries(
        readList(info?.features).flatMap(({ name, dtype, sequence, list }) => {
          const names = namesIn(dtype) ?? namesIn(sequence) ?? namesIn(list);
          return typeof name === 'string' && names ? [[name, names]] : [];
        }),
      );
    },
  };
}

function readYaml(text: string): unknown {
  try {
    checkYaml(text, 'README.md', MAX_ENTRIES);
    return parse(text, { maxAliasCount: 10, uniqueKeys: false });
  } catch {
    return undefined;
  }
}

function subsetCard({ config_name, data_files, default: isDefault }: Record<string, unknown>): SubsetCard[] {
  if (typeof config_name !== 'string') return [];
  const splits = new Map<string, readonly string[]>();
  if (isPatterns(data_files)) splits.set('train', [data_files].flat());
  else
    for (const { split, path } of readList(data_files))
      if (typeof split === 'string' && isPatterns(path)) splits.set(split, [path].flat());
  return [{ name: config_name, splits, isDefault: isDefault === true || config_name === 'default' }];
}

function isPatterns(value: unknown): value is string | string[] {
  return typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
}

/** Returns the sections in a list. A single section counts as a list. */
function readList(value: unknown): Record<string, unknown>[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === 'object' && one !== null);
}
