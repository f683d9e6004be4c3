import type { OpCase } from '../support/check-op.ts';
import { contractions } from './contractions.ts';
import { elementwise } from './elementwise.ts';
import { layout } from './layout.ts';

/** The cases of every op, by name. */
export const opCases: Record<string, readonly OpCase[]> = { ...elementwise, ...contractions, ...layout };
