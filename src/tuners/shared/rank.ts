import { z } from 'zod';

/** No matrix has a smaller side of so many features: an adapter of more could do nothing that one of less cannot. */
export const MAX_RANK = 65_536;

/** A rank, or the width of a bottleneck. */
export const rank = z.int().min(1).max(MAX_RANK);
