import { withVariants } from '../low-rank/variants.ts';
import type { MethodWords } from '../method-definition.ts';
import { tripletTerm } from './triplet-term.ts';
import { tripletVariants } from './triplet-variants.ts';

type Settings = Readonly<Record<string, unknown>>;

/** The words of a method with triplets; its own variants precede those of all. */
export function tripletWords(
  { title }: { title: string },
  {
    variants = () => [],
    tags = [],
    ...own
  }: Pick<MethodWords, 'summary' | 'budgetKeys'> & {
    /** Beside `peft`. */
    tags?: readonly string[];
    variants?(settings: Settings): string[];
  },
): MethodWords {
  return {
    title,
    titleWith: (settings) => withVariants(title, [variants(settings), tripletVariants(settings)]),
    tags: ['peft', ...tags],
    library: 'peft',
    components: 'triplets',
    factors: ['P', 'Q'],
    regularizer: tripletTerm,
    ...own,
  };
}
