/** Describes how to convert a folder's checkpoint to a format that every program reads. */
export function convertHint(folder: string): string {
  const convert = `from transformers import AutoModel; AutoModel.from_pretrained('${folder}').save_pretrained('converted')`;
  return `Convert the checkpoint once: python -c "${convert}"`;
}
