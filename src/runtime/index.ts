export type { Device, HostTensor, Session, SessionOptions, Tensors } from './session.ts';
