import { TEXT_NAME } from '../text-name.ts';
import type { Column } from './describe-columns.ts';

const LABEL_NAME =
  /^(label|labels|class|category|target|tag|y|sentiment|intent|topic|queue|department|kategorie|klasse|thema|abteilung)$/i;
/**
 * A column contains the texts, whatever its name, if its fields are this many times longer than those of any
 * other column.
 */
const CLEARLY_LONGER = 3;
/** A column with more different numbers does not contain classes. */
const MAX_NUMBERED_CLASSES = 20;

/** Indices of the columns that most likely contain the texts and their labels. */
export interface ColumnGuess {
  text: number;
  label: number;
  /** Guesses that names and content do not confirm clearly. */
  doubts: readonly ('text' | 'label')[];
  /** Whether the labels are numbers on a scale rather than classes. */
  isScale: boolean;
}

/** Guesses the columns from names and content. The user may choose other columns. */
export function guessColumns(columns: readonly Column[], rows: number): ColumnGuess {
  const places = columns.map((_, i) => i);
  const length = (i: number) => columns[i]!.length;
  const isLabel = (i: number) => columns[i]!.distinct > 1 && 2 * columns[i]!.distinct <= rows;
  const labels = places.filter(isLabel).sort((a, b) => columns[a]!.distinct - columns[b]!.distinct);
  const named = (pattern: RegExp) => places.find((i) => pattern.test(columns[i]!.name));
  const labelName = named(LABEL_NAME);
  const label = labelName ?? labels[0] ?? places.reduce((a, b) => (length(b) < length(a) ? b : a));
  const others = places.filter((i) => i !== label);
  const textName = others.find((i) => TEXT_NAME.test(columns[i]!.name));
  const text = textName ?? others.reduce((a, b) => (length(b) > length(a) ? b : a), others[0] ?? label);
  const isTextSure =
    textName !== undefined || others.every((i) => i === text || length(text) >= CLEARLY_LONGER * length(i));
  const isLabelSure = labelName !== undefined || others.every((i) => i === text || !isLabel(i));
  return {
    ...{ text, label },
    doubts: [...(isTextSure ? [] : ['text' as const]), ...(isLabelSure ? [] : ['label' as const])],
    isScale: columns[label]!.isNumeric && columns[label]!.distinct > MAX_NUMBERED_CLASSES,
  };
}
