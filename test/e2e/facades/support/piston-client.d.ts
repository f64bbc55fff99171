declare module 'piston-client' {
  export interface PistonClient {
    runtimes(): Promise<unknown>;
    execute(language: string, code: string): Promise<unknown>;
    execute(config: object): Promise<unknown>;
  }

  export function piston(options?: { readonly server?: string }): PistonClient;
}
