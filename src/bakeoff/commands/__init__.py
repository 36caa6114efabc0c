"""What each verb does, for the terminal and the notebook alike."""
