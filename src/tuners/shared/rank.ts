import { z } from 'zod';

/** No matrix has a smaller side with this many features: a larger rank could not express more. */
export const MAX_RANK = 65_536;

/** A rank, or the width of a bottleneck. */
export const rank = z.int().min(1).max(MAX_RANK);
