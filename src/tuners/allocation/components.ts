/** The units that are kept or dropped: triplets (λ with its vectors), or doublets (a row of A with a column of B). */
export type Components = 'triplets' | 'doublets';
