"""Looking inside trained networks: filters, feature maps, mistakes, as plain arrays."""
