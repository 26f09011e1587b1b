"""What all resources of the REST API share. It knows accounts and audit, and no resource."""
