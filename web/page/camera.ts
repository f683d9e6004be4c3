/** Longest side of a picture that the camera takes. Models read less than half of it. */
const SIDE = 640;

/** The camera of this machine. It is on only between {@link start} and {@link stop}. */
export class Camera {
  readonly #video: HTMLVideoElement;
  #stream: MediaStream | undefined;

  /** @param video shows what the camera sees */
  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  get isOn(): boolean {
    return this.#stream !== undefined;
  }

  /** @throws an error with a user's message if there is no camera, or the user does not allow it */
  async start(): Promise<void> {
    const video = { width: SIDE, height: SIDE, facingMode: 'environment' };
    try {
      // Browsers offer cameras only to secure pages: this machine's, or HTTPS.
      this.#stream = await navigator.mediaDevices.getUserMedia({ video });
    } catch (error) {
      throw new Error(`The camera cannot be used: ${(error as Error).message}`);
    }
    this.#video.srcObject = this.#stream;
    this.#video.hidden = false;
    await this.#video.play();
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#video.srcObject = null;
    this.#video.hidden = true;
  }

  /** Takes a picture as a JPEG file. */
  async take(name: string): Promise<File> {
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
    const canvas = new OffscreenCanvas(Math.round(videoWidth * scale), Math.round(videoHeight * scale));
    canvas.getContext('2d')!.drawImage(this.#video, 0, 0, canvas.width, canvas.height);
    return new File([await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 })], name);
  }
}
