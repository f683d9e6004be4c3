import type { TextFile } from '../../data/text-file.ts';

/** Files whose contents are scored. */
export interface ScoredFiles {
  predictions: TextFile;
  references?: TextFile;
  /** `--null-odds`. */
  nullOdds?: TextFile;
}

/** Official scores of files that any system wrote. */
export interface ScoreKind {
  /** What the files are, for help. */
  description: string;
  /** Optional files that it takes; another one is a mistake. */
  takes: readonly Exclude<keyof ScoredFiles, 'predictions'>[];
  /** Those of them that it needs. */
  needs: readonly Exclude<keyof ScoredFiles, 'predictions'>[];
  /**
   * Scores by their official names, from 0 to 1 where the official script does not say otherwise.
   *
   * @param warn is told what the official script would say on standard error
   * @throws UserError for files that are not what they should be
   */
  score(files: ScoredFiles, warn: (message: string) => void): Record<string, unknown>;
}
