import { MAX_JSON_BYTES, parseSmallJson } from '../bounded-json.ts';
import { wholeFile } from '../byte-source.ts';
import { utf8Text } from '../excerpt.ts';
import { MAX_YAML_BYTES, parseYaml } from '../yaml-document.ts';
import { FileSource } from './file-source.ts';

/**
 * Reads a small untrusted file: a regular file in UTF-8, up to a maximum size. All small untrusted files are
 * read with this function.
 *
 * @param expected a description of the file for messages: "a config file"
 * @throws UserError if it is missing, not a regular file, unreadable, too large or not UTF-8
 */
export function readText(path: string, expected: string, maxBytes = MAX_JSON_BYTES): string {
  return utf8Text(readBytes(path, expected, maxBytes), path);
}

/** Parses a JSON file. Throws a UserError like {@link readText}, and for invalid or too deeply nested JSON. */
export function readJson(path: string, expected: string, maxBytes = MAX_JSON_BYTES): unknown {
  return parseSmallJson(readBytes(path, expected, maxBytes), path);
}

/** Parses a YAML file. Throws a UserError like {@link readText}, and for invalid YAML. */
export function readYaml(path: string, expected: string): unknown {
  return parseYaml(readBytes(path, expected, MAX_YAML_BYTES), path);
}

/** Reads a file up to a maximum size. Throws a UserError like {@link readText}. */
export function readBytes(path: string, expected: string, maxBytes: number): Uint8Array {
  return wholeFile(FileSource.open(path, expected), maxBytes);
}
