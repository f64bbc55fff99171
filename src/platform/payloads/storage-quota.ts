/** How much a user may have stored: scripts, inputs and outputs. */
export abstract class StorageQuota {
  /**
   * Before something is stored that a user sent, or is started that will store something.
   * @param bytes of it; 0 where it is not known
   * @throws DomainError `quota_exceeded` where there is no room for them
   * @throws Unavailable
   */
  abstract check(ownerId: string, bytes: number): Promise<void>;
}
