import { existsSync } from 'node:fs';
import { type Case, listCases } from './run-folder.ts';

/** Folders of golden cases, and the minimum number of cases of each kind. */
const GOLDEN_FOLDERS = [
  { folder: '../shared/conformance', least: { models: 15, LORA: 1, ADALORA: 3 } },
  {
    folder: '../shared/conformance-methods',
    least: { HOULSBY: 3, PFEIFFER: 2, BITFIT: 1, SVD_LORA: 1, LORA_REGU: 2, PRUNE_LORA: 2 },
  },
  { folder: 'src/models/fixtures', least: { models: 33 } },
  {
    folder: 'src/methods/tuners/fixtures',
    least: { LORA: 6, IA3: 3 },
  },
];

/** The golden cases in folders that exist. */
export function goldenCases(): Case[] {
  return present().flatMap(({ folder }) => listCases(folder));
}

/** A sentence for each kind with too few cases in a folder. */
export function lostCases(): string[] {
  return present().flatMap(({ folder, least }) => {
    const kinds = listCases(folder).map(({ kind }) => kind);
    return Object.entries(least).flatMap(([kind, expected]) => {
      const got = kinds.filter((other) => other === kind).length;
      return got < expected ? [`${folder}: expected ${expected} cases of kind ${kind}, got ${got}`] : [];
    });
  });
}

function present() {
  return GOLDEN_FOLDERS.filter(({ folder }) => existsSync(folder));
}
