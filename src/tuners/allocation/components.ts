/** What of a module is kept or dropped as one: triplets (λ with its vectors), or doublets (a row of A with a column of B). */
export type Components = 'triplets' | 'doublets';
