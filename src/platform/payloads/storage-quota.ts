/** How much a user may have stored: scripts, inputs and outputs. */
export abstract class StorageQuota {
  /**
   * Called before something that a user sent is stored, or before something is started that will store something.
   * @param bytes to be stored; 0 if unknown
   * @throws DomainError `quota_exceeded` if there is no room for them
   * @throws Unavailable
   */
  abstract check(ownerId: string, bytes: number): Promise<void>;
}
