import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WEB_ENGINE_FILES, webEngineFolder } from '../../../engine/runtime/node/web-engine-folder.ts';
import { assertNewFolder } from '../../../input/formats/node/folder-files.ts';
import { embeddedFolder } from '../../../input/hub/node/resolve-model.ts';
import { atomicCopy } from '../../../input/store/node/atomic-write.ts';
import { UserError } from '../../../support/user-error.ts';

/** The package's root is three folders above this file, both in the source and in the build. */
const PAGE = fileURLToPath(new URL('../../../../dist/page', import.meta.url));

/** A part of the page: its folder, and the URL path at which the page expects it. */
export interface PagePart {
  address: string;
  folder: string;
  files: readonly string[];
}

/** @throws UserError if the page has not been built */
export function pageParts(): PagePart[] {
  if (!existsSync(join(PAGE, 'index.html'))) {
    const hint = 'Run: npm run web:build';
    throw new UserError({ where: PAGE, fault: 'is missing: the page is not built', hint });
  }
  const missing = WEB_ENGINE_FILES.filter((name) => !existsSync(join(webEngineFolder(), name)));
  if (missing.length > 0) {
    const hint = 'Install the package again, and use adalora slim --keep-web.';
    throw new UserError({ where: webEngineFolder(), fault: `has no ${missing.join(', ')}`, hint });
  }
  const model = embeddedFolder();
  return [
    { address: '', folder: PAGE, files: readdirSync(PAGE) },
    { address: 'engine/', folder: webEngineFolder(), files: WEB_ENGINE_FILES },
    { address: 'models/mini/', folder: model, files: readdirSync(model) },
  ];
}

/**
 * Writes the page with all its files into a folder, for any static host.
 *
 * @throws UserError if the folder is not empty
 */
export function writePage(output: string): void {
  assertNewFolder(output);
  for (const { address, folder, files } of pageParts()) {
    for (const name of files) atomicCopy(join(folder, name), join(output, address, name));
  }
}
