"""What of the door waits for answers or streams them."""
