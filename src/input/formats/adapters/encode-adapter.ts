import { sortKeys } from '../../../support/text.ts';
import { encodeSafetensors } from '../encode-safetensors.ts';
import type { StoredTensor } from '../tensor-data.ts';
import { ADAPTER_CONFIG, ADAPTERHUB_FILES, PEFT_TENSORS } from './adapter-files.ts';
import { isAdapterHub, isAdapterHubTensor } from './read-stored-adapter.ts';
import type { AdapterTensor, StoredAdapter } from './stored-adapter.ts';

/** A file's name, and its content as text or in chunks. */
export type EncodedFile = [name: string, content: string | Iterable<Uint8Array>];

/** The metadata that PEFT writes into the header of an adapter's tensor file. */
const ADAPTER_METADATA = { format: 'pt' };

/** Settings that AdapterHub rejects if they are integers. */
const FLOATS = ['dropout', 'reduction_factor', 'scaling', 'stochastic_depth'];

/**
 * Encodes an adapter's files in the format of its settings, as PEFT's `save_pretrained` or AdapterHub's
 * `save_adapter` writes them. The settings come last, so if they exist, the adapter is complete.
 */
export function encodeAdapter(adapter: StoredAdapter): EncodedFile[] {
  return isAdapterHub(adapter.config) ? encodeAdapterHub(adapter) : encodePeft(adapter);
}

function encodePeft({ config, tensors }: StoredAdapter): EncodedFile[] {
  return [encodeTensors(PEFT_TENSORS[0], [...tensors]), [ADAPTER_CONFIG, formatAdapterConfig(config)]];
}

/** `load_adapter` reads these files with its option `use_safetensors`. */
function encodeAdapterHub({ config, tensors, head }: StoredAdapter): EncodedFile[] {
  const [own, saved] = [true, false].map((isOwn) =>
    [...tensors].filter(([key]) => isAdapterHubTensor(key) === isOwn),
  );
  const ofHead: EncodedFile[] =
    saved!.length === 0
      ? []
      : [
          encodeTensors(ADAPTERHUB_FILES.headTensors[0], saved!),
          ...(head ? [[ADAPTERHUB_FILES.headConfig, formatAdapterConfig(head)] as EncodedFile] : []),
        ];
  return [
    ...ofHead,
    encodeTensors(ADAPTERHUB_FILES.tensors[0], own!),
    [ADAPTER_CONFIG, formatAdapterConfig(config, FLOATS)],
  ];
}

function encodeTensors(file: string, tensors: readonly [string, AdapterTensor][]): EncodedFile {
  const stored = tensors.map(([name, tensor]): [string, StoredTensor] => [name, { dtype: 'F32', ...tensor }]);
  return [file, encodeSafetensors(new Map(stored), ADAPTER_METADATA)];
}

/**
 * Formats an `adapter_config.json` as PEFT and AdapterHub write it, with sorted keys.
 *
 * @param floats keys with float values; whole numbers get a decimal point, because Python distinguishes 1.0
 * from 1
 */
export function formatAdapterConfig(
  config: Readonly<Record<string, unknown>>,
  floats: readonly string[] = [],
): string {
  const text = JSON.stringify(config, sortKeys, 2);
  if (floats.length === 0) return text;
  const wholeNumber = new RegExp(`^( *"(?:${floats.join('|')})": -?\\d+)(?=,?$)`, 'gm');
  return text.replace(wholeNumber, '$1.0');
}
