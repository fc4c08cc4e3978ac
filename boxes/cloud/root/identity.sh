# Fixed, so that a second build gives the same bytes. Root and EFI are names of file systems, the others of partitions.
root=3f1f9c1e-8d0b-4c53-9a55-636c6f756400
efi=57C1-0D12
disk=3F1F9C1E-8D0B-4C53-9A55-636C6F756401
loader_partition=3F1F9C1E-8D0B-4C53-9A55-636C6F756402
efi_partition=3F1F9C1E-8D0B-4C53-9A55-636C6F756403
root_partition=3F1F9C1E-8D0B-4C53-9A55-636C6F756404
