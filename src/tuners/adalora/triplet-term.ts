/** Describes what the orthogonality term of triplets measures. */
export function tripletTerm({ orthogonality }: Readonly<Record<string, unknown>>): string {
  return orthogonality === 'sum-squared'
    ? 'sum of ‖PᵀP − I‖² and ‖QQᵀ − I‖²'
    : 'mean of ‖PᵀP − I‖ and ‖QQᵀ − I‖';
}
