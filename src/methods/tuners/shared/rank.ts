import { z } from 'zod';

/** Maximum rank. No weight matrix has this many features on its smaller side, so a larger rank would have no effect. */
export const MAX_RANK = 65_536;

/** A rank, or the width of a bottleneck. */
export const rank = z.int().min(1).max(MAX_RANK);
