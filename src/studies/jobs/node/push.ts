import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import { inScratchFolder } from '../../../input/store/node/temporary-name.ts';
import { locateTrained } from '../../../use/trained/locate-trained.ts';
import { mergedForm } from '../../../use/trained/merged-form.ts';
import type { OpenTunedOptions } from '../../../use/trained/model-folders.ts';
import { models } from '../../../use/trained/node/load-model.ts';
import { writeForm } from '../../../use/trained/write-form.ts';
import { onnxForm } from '../../../use/trained/written-form.ts';
import type { HubCard } from '../../report/hub-card.ts';
import { assertRepository, type Pushed, type SendOptions, sendFolder } from '../send-folder.ts';

export interface PushOptions extends SendOptions, Pick<OpenTunedOptions, 'onProgress' | 'onNotice'> {
  /** Which form of the model is sent. Default: the result of the run as it is. */
  form?: 'merged' | 'onnx' | undefined;
}

/**
 * Sends the result of a run, an adapter or a model to a repository of the Hub. Data, checkpoints and other files of the
 * run's folder stay.
 *
 * @param repo `owner/name`
 * @throws UserError like {@link sendFolder}
 */
export async function push(path: string, repo: string, options: PushOptions): Promise<Pushed> {
  assertRepository(repo);
  const located = await locateTrained(hub, path);
  const send = (folder: string, form: HubCard['form'], runModel = located.runModel) =>
    sendFolder(hub, { folder: folderFiles(folder), form, runModel, path, repo }, options, pathToFileURL);
  const { form } = options;
  if (form === undefined) return send(located.folder, located.kind);
  return inScratchFolder(tmpdir(), 'push', async (scratch) => {
    const { model, onProgress, onNotice } = options;
    const opened = await models.openTuned(path, { model, onProgress, onNotice });
    try {
      writeForm(hub.disk, opened, form === 'merged' ? mergedForm(opened) : onnxForm(opened), scratch);
    } finally {
      opened.model.close();
    }
    const base = located.runModel ?? opened.adapter?.stored.baseModel ?? undefined;
    return send(scratch, form === 'onnx' ? form : 'model', base);
  });
}
