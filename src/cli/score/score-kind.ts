import type { TextFile } from '../../data/text-file.ts';

/** The files to score. */
export interface ScoredFiles {
  predictions: TextFile;
  references?: TextFile;
  /** `--null-odds`. */
  nullOdds?: TextFile;
}

/** Official scores of files from any system. */
export interface ScoreKind {
  /** A description of the files, for help. */
  description: string;
  /** Optional files that it accepts. Others are an error. */
  takes: readonly Exclude<keyof ScoredFiles, 'predictions'>[];
  /** The files among them that are required. */
  needs: readonly Exclude<keyof ScoredFiles, 'predictions'>[];
  /**
   * Scores by their official names, from 0 to 1 unless the official script differs.
   *
   * @param warn receives warnings that the official script prints on standard error
   * @throws UserError for invalid files
   */
  score(files: ScoredFiles, warn: (message: string) => void): Record<string, unknown>;
}
