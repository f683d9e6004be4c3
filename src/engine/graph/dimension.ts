/**
 * The size of a tensor's axis: a number, or a polynomial in named sizes such as "batch" and "sequence". Named
 * sizes are known only when a batch arrives. Polynomials are in canonical form, so equal sizes have equal
 * texts.
 */
export type Dimension = number | Polynomial;

/**
 * A sum of products of symbols, with integer factors. `terms` maps each product to its factor. A product is a
 * text such as "a*b", with sorted symbols.
 */
export class Polynomial {
  constructor(readonly terms: ReadonlyMap<string, number>) {}

  toString(): string {
    const text = [...this.terms].map(([monomial, factor]) =>
      monomial === '' ? `${factor}` : factor === 1 ? monomial : `${factor}*${monomial}`,
    );
    return text.join('+').replaceAll('+-', '-');
  }
}

/** A size that is known only by name. */
export function symbol(name: string): Polynomial {
  return new Polynomial(new Map([[name, 1]]));
}

export function sameDimension(a: Dimension, b: Dimension): boolean {
  return a === b || String(a) === String(b);
}

export function sameShape(a: readonly Dimension[], b: readonly Dimension[]): boolean {
  return a.length === b.length && a.every((size, axis) => sameDimension(size, b[axis]!));
}

export function addDimensions(a: Dimension, b: Dimension): Dimension {
  const terms = new Map(listTerms(a));
  for (const [monomial, factor] of listTerms(b)) terms.set(monomial, (terms.get(monomial) ?? 0) + factor);
  return canonical(terms);
}

export function multiplyDimensions(a: Dimension, b: Dimension): Dimension {
  const terms = new Map<string, number>();
  for (const [x, m] of listTerms(a)) {
    for (const [y, n] of listTerms(b)) {
      const monomial = [...x.split('*'), ...y.split('*')].filter(Boolean).sort().join('*');
      terms.set(monomial, (terms.get(monomial) ?? 0) + m * n);
    }
  }
  return canonical(terms);
}

/** Divides a size by a symbol. Undefined if the size is not a multiple of the symbol. */
export function divideDimension(size: Dimension, name: string): Dimension | undefined {
  const terms = new Map<string, number>();
  for (const [monomial, factor] of listTerms(size)) {
    const names = monomial.split('*');
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    terms.set(names.toSpliced(at, 1).join('*'), factor);
  }
  return canonical(terms);
}

/** The number of elements of a shape. */
export function dimensionSize(shape: readonly Dimension[]): Dimension {
  return shape.reduce(multiplyDimensions, 1);
}

/** The value of a size for given values of the symbols. */
export function evaluateDimension(size: Dimension, symbols: Readonly<Record<string, number>>): number {
  let total = 0;
  for (const [monomial, factor] of listTerms(size)) {
    let product = factor;
    for (const name of monomial.split('*').filter(Boolean)) {
      if (!(name in symbols)) throw new Error(`no value for the symbolic size ${name}`);
      product *= symbols[name]!;
    }
    total += product;
  }
  return total;
}

function listTerms(size: Dimension): ReadonlyMap<string, number> {
  return typeof size === 'number' ? new Map([['', size]]) : size.terms;
}

function canonical(terms: Map<string, number>): Dimension {
  const kept = [...terms].filter(([, factor]) => factor !== 0).sort(([a], [b]) => (a < b ? 1 : -1));
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0]![0] === '') return kept[0]![1];
  return new Polynomial(new Map(kept));
}
