import type { TextFile } from '../../input/data/text-file.ts';

/** The files to score. */
export interface ScoredFiles {
  predictions: TextFile;
  references?: TextFile;
  /** The file of `--null-odds`. */
  nullOdds?: TextFile;
}

/** Computes official scores from files of any system. */
export interface ScoreKind {
  /** A description of the files, for help. */
  description: string;
  /** Optional files that it accepts. Other files are an error. */
  takes: readonly Exclude<keyof ScoredFiles, 'predictions'>[];
  /** The optional files that it requires. */
  needs: readonly Exclude<keyof ScoredFiles, 'predictions'>[];
  /**
   * Returns scores by their official names, from 0 to 1 unless the official script differs.
   *
   * @param warn receives the warnings that the official script prints to standard error
   * @throws UserError for invalid files
   */
  score(files: ScoredFiles, warn: (message: string) => void): Record<string, unknown>;
}
