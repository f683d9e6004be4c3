import { withVariants } from '../low-rank/variants.ts';
import type { MethodWords } from '../method-definition.ts';
import { tripletTerm } from './triplet-term.ts';
import { tripletVariants } from './triplet-variants.ts';

type Settings = Readonly<Record<string, unknown>>;

/** The texts about a method with triplets. The method's own variants come before those of all triplet methods. */
export function tripletWords(
  { title }: { title: string },
  {
    variants = () => [],
    tags = [],
    ...own
  }: Pick<MethodWords, 'summary' | 'budgetKeys'> & {
    /** Tags on the Hub besides `peft`. */
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
