import { CONFIG_NAME } from '../config-path.ts';
import { STARTER_CONFIG } from './starter-config.ts';
import { TRAIN_ROWS, VALIDATION_ROWS } from './starter-rows.ts';

/** Names and contents of what `adalora init` writes. */
export const STARTER_FILES: Readonly<Record<string, string>> = {
  [CONFIG_NAME]: STARTER_CONFIG,
  'train.tsv': table(TRAIN_ROWS),
  'validation.tsv': table(VALIDATION_ROWS),
};

/** The classes in turn, as files that people write have them. */
function table(rows: Readonly<Record<string, readonly string[]>>): string {
  const classes = Object.entries(rows);
  const longest = Math.max(...classes.map(([, texts]) => texts.length));
  const lines = Array.from({ length: longest }, (_, i) =>
    classes.flatMap(([label, texts]) => (i < texts.length ? [`${texts[i]}\t${label}`] : [])),
  );
  return `${['text\tlabel', ...lines.flat()].join('\n')}\n`;
}
