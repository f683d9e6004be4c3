import { PICTURE_NAME } from '../../input/pictures/pixels.ts';

interface InputKindFacts {
  /** Names of its files, if inputs are files. */
  files?: RegExp;
  /** A word for several inputs. */
  plural: string;
  /** Maximum bytes of a request's body. Photos have up to 20 MB, and a third more in base64. */
  maxBody: number;
  /** How Python loads what makes inputs. `name` is the variable. */
  python: { class: string; name: string };
}

/** The kinds of inputs of models. A `Modality` reads each of them. */
export const INPUT_KINDS = {
  text: { plural: 'texts', maxBody: 2 ** 21, python: { class: 'AutoTokenizer', name: 'tokenizer' } },
  image: {
    files: PICTURE_NAME,
    plural: 'pictures',
    maxBody: 2 ** 25,
    python: { class: 'AutoImageProcessor', name: 'processor' },
  },
} satisfies Record<string, InputKindFacts>;

export type InputKind = keyof typeof INPUT_KINDS;

/** The kind of the files with these names. Undefined for fields that are texts. */
export function findFileKind(names: readonly string[]): InputKind | undefined {
  if (names.length === 0) return undefined;
  const kinds = Object.entries<InputKindFacts>(INPUT_KINDS);
  const found = kinds.find(([, { files }]) => files && names.every((name) => files.test(name)));
  return found?.[0] as InputKind | undefined;
}
