import { checkWholeJson, endOfString } from '../../../src/input/data/json.ts';
import { typeName } from '../../../src/input/data/json-lines.ts';
import type { TextFile } from '../../../src/input/data/text-file.ts';
import { InvalidData } from '../../../src/support/user-error.ts';

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

/**
 * Parses a JSON object of strings or of numbers as the official scripts do. Keys keep the order of the file;
 * a JavaScript object would put numeric ids first. The last value of a duplicate key counts. Numbers may be
 * NaN and Infinity, which are not valid JSON, but which Python writes and reads.
 *
 * @throws UserError for anything else
 */
export function valuesById(file: TextFile, type: 'string'): Map<string, string>;
export function valuesById(file: TextFile, type: 'number'): Map<string, number>;
export function valuesById(file: TextFile, type: 'string' | 'number'): Map<string, unknown> {
  const where = file.name;
  const hint = `Pass a JSON object with a ${type} for each id.`;
  const text = file.read();
  checkWholeJson(text, where);
  let object: unknown;
  let bare = new Map<string, number>();
  try {
    const sound = type === 'number' ? withoutBare(text) : { json: text, bare };
    bare = sound.bare;
    object = JSON.parse(sound.json);
  } catch (error) {
    throw new InvalidData({ where, fault: `is not valid JSON: ${(error as Error).message}`, hint });
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    throw new InvalidData({ where, fault: `is not a JSON object but ${typeName(object)}`, hint });
  for (const [id, value] of Object.entries(object)) {
    if (typeof value !== type)
      throw new InvalidData({ where, key: id, expected: `a ${type}`, got: typeName(value) });
  }
  const texts = Array.from(listTexts(text), ({ text }) => text);
  // Keys and string values alternate in `texts`.
  const ids = type === 'string' ? texts.filter((_, i) => i % 2 === 0) : texts;
  const values = object as Record<string, unknown>;
  return new Map(ids.map((id) => [id, bare.get(id) ?? values[id]]));
}

/** Replaces NaN and Infinity in JSON by zeros. Returns the new text, and the replaced numbers by key. */
function withoutBare(text: string): { json: string; bare: Map<string, number> } {
  const bare = new Map<string, number>();
  const word = /(\s*:\s*)(NaN|-?Infinity)\b/y;
  let [json, done] = ['', 0];
  for (const { text: key, end } of listTexts(text)) {
    word.lastIndex = end;
    const match = word.exec(text);
    bare.delete(key);
    if (!match) continue;
    bare.set(key, Number(match[2]));
    json += `${text.slice(done, end)}${match[1]}0`;
    done = word.lastIndex;
  }
  return { json: json + text.slice(done), bare };
}

/** Every JSON string and its end, in order. Stops at a string without a closing quote. */
function* listTexts(json: string): Iterable<{ text: string; end: number }> {
  for (let at = json.indexOf('"'); at >= 0; ) {
    const end = endOfString(json, at) + 1;
    if (end === 0) return;
    yield { text: JSON.parse(json.slice(at, end)), end };
    at = json.indexOf('"', end);
  }
}
