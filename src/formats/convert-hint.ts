/** How to turn the checkpoint of a folder into one that every program reads. */
export function convertHint(folder: string): string {
  const convert = `from transformers import AutoModel; AutoModel.from_pretrained('${folder}').save_pretrained('converted')`;
  return `Convert the checkpoint once: python -c "${convert}"`;
}
