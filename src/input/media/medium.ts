import { InvalidData } from '../../support/user-error.ts';

/** The content of a file in memory, as the models of its medium read it. */
export interface FileContent {
  /** The name of its medium. */
  medium: string;
  /** Hash of the file. */
  digest: string;
  /** A small version, as long as that of any other file. It finds near-equal files, and the baseline reads it. */
  small: Uint8Array;
  /** A data URL that shows it in a report. */
  preview(): string;
}

/**
 * A kind of files that rows name, and whose content a model reads. Requests, folders, tables and pages know files only
 * through their medium.
 */
export interface Medium {
  /** Its name, also of the column with its files, and of the field of a request. */
  name: string;
  /** A word for several files. */
  plural: string;
  /** Names of its files. */
  files: RegExp;
  /** The ending of a file that has no name, such as bytes in parquet. */
  ending: string;
  /** The types that a page's form accepts. */
  accept: string;
  /** Whether a file with these first bytes may be one of this medium. */
  recognizes(head: Uint8Array): boolean;
  /** The limits of requests. */
  request: {
    /** Maximum bytes of the body. Base64 adds a third. */
    maxBody: number;
    /** The unit of a size, such as "pixels". */
    unit: string;
    /** Reads a file's size from its first bytes. Undefined for other files. */
    count(bytes: Uint8Array): number | undefined;
    /** Maximum size of a file. */
    each: number;
    /** Maximum size of all files, so that other requests wait a few seconds at most. */
    together: number;
  };
  /** Describes `FileContent.small`, which the baseline reads. */
  small: string;
  /** Models to fine-tune, and what they cost: download, and seconds per file and epoch on two cores. */
  models: {
    kind: string;
    examples: readonly { name: string; parameters: number; megabytes: number; seconds: number }[];
  };
  /** The names of classification on the Hub. */
  hub: { pipeline: string; name: string };
  python: MediumInPython;
}

/** How Python uses models of a medium. */
export interface MediumInPython {
  /** The class that makes inputs, and the name of its variable. */
  class: string;
  name: string;
  imports: readonly string[];
  /** The line that makes `inputs`. */
  inputs: string;
  /** The class of a model with a classifier. */
  classifier: string;
  /** Lines that compute `features`, which the classifier of the class reads. */
  features: readonly string[];
}

/** A model's file with the settings of what reads files of a medium. */
export const PROCESSOR_FILE = 'preprocessor_config.json';

/** Maximum size of a file. Photos have 1 to 20 MB. */
export const MAX_FILE_BYTES = 100_000_000;

/** Maximum length of a preview: an image of 48 x 48 pixels in base64, with what comes before it. */
export const MAX_PREVIEW = 9400;

/** Thrown for a file with too many bytes, or whose content would take too much memory. */
export class FileTooLarge extends InvalidData {
  override name = 'FileTooLarge';
}
