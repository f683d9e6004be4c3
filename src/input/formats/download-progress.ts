/** Downloaded and total bytes of one file. */
export interface DownloadProgress {
  file: string;
  received: number;
  total: number;
}
