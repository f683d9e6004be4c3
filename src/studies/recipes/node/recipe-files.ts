import { fileURLToPath } from 'node:url';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';

/** The package's recipes. Their folder is four levels above this file, in the source and in the build. */
export const RECIPE_FILES = folderFiles(fileURLToPath(new URL('../../../../recipes', import.meta.url)));
